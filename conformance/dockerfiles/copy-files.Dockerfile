# Modes, links, empty folders and names of a context arrive as they are.
FROM busybox
COPY . /all/
COPY a /file
COPY a b* /several/
COPY folder /folder
COPY folder/ /contents/
COPY link-to-a /followed
COPY link-to-folder /followed-folder/
COPY ["with space", "/with space/"]
COPY folder/*.txt ?  /patterns/
COPY a relative
CMD find /all /file /several /folder /contents /followed /followed-folder "/with space" /patterns /relative -exec stat -c '%N %u %g %a %s' {} + | sort
