#!/bin/bash
# Boot script of the NAT instance: forward what the private subnets send, under this instance's address.
set -euo pipefail
# An instance that powers off is unhealthy, and the group replaces it. So does one whose boot fails or hangs.
shutdown --poweroff +15
cat >/etc/sysctl.d/90-nat.conf <<'CONF'
net.ipv4.ip_forward = 1
CONF
sysctl --system
# dnf needs more memory than the instance has.
dd if=/dev/zero of=/swapfile bs=1M count=1024
chmod 600 /swapfile
mkswap /swapfile
swapon /swapfile
# The address may be attached a moment after the boot, and the package comes through it.
until timeout 300 dnf install -y nftables; do sleep 5; done
cat >/etc/sysconfig/nftables.conf <<'CONF'
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname != "lo" masquerade
  }
}
CONF
systemctl enable --now nftables
nft list table ip nat
shutdown -c
