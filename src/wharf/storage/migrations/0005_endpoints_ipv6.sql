-- Whether an address is taken is asked at each start: by an index, as for IPv4 (UNIQUE above).

CREATE INDEX endpoints_ipv6 ON endpoints (network_id, json_extract(document, '$.ipv6'));
