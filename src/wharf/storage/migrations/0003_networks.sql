-- Networks of the user's own: any number of pools; endpoints with a second address, names, options.

ALTER TABLE endpoints ADD COLUMN document TEXT NOT NULL DEFAULT '{}';   -- what has no column of its own

UPDATE endpoints SET document = (
    SELECT json_object(
        'prefix_length', CAST(substr(json_extract(n.document, '$.subnet'),
                                     instr(json_extract(n.document, '$.subnet'), '/') + 1) AS INTEGER),
        'gateway', CASE WHEN ipv4 IS NULL THEN '' ELSE '172.17.0.1' END)
    FROM networks n WHERE n.id = network_id
);

UPDATE networks SET document = json_object(
    'bridge', json_extract(document, '$.bridge'),
    'pools', CASE json_extract(document, '$.subnet')
        WHEN '' THEN json_array()
        ELSE json_array(json_object('subnet', json_extract(document, '$.subnet'), 'gateway', ''))
    END
);
