# Archives are unpacked, with the owners and modes in them, and files that only look like archives are not.
FROM busybox
ADD packed.tar /plain/
ADD packed.tar.gz /gz
ADD packed.tar.bz2 packed.tar.xz /several/
ADD letters.gz /letters/
ADD folder /folder/
COPY packed.tar /copied/
CMD find /plain /gz /several /letters /folder /copied | sort
