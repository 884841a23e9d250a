# Draws keys, cookie secrets and a first password for the admin. The next step keeps them only where none are stored.
umask 077
cp /hatchet/hatchet-admin /work/hatchet-admin
mkdir -p /work/new
/hatchet/hatchet-admin keyset create-local-keys --key-dir /work/new
cat > /work/new/keys.json <<END
{
  "SERVER_ENCRYPTION_MASTER_KEYSET": "$(cat /work/new/master.key)",
  "SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET": "$(cat /work/new/private_ec256.key)",
  "SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET": "$(cat /work/new/public_ec256.key)",
  "SERVER_AUTH_COOKIE_SECRETS": "$(openssl rand -hex 16) $(openssl rand -hex 16)"
}
END
# Hatchet asks for a capital, a small letter and a digit.
cat > /work/new/admin.json <<END
{
  "ADMIN_EMAIL": "$ADMIN_EMAIL",
  "ADMIN_PASSWORD": "Hatchet-1-$(openssl rand -hex 16)"
}
END
