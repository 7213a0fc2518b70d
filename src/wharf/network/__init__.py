"""Networks: addresses, bridges, published ports; records in storage, the kernel through netlink and nftables."""
