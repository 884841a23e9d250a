# Draws keys, cookie secrets and a first password for the admin. The next step keeps them only where none are stored.
umask 077
cp /hatchet/hatchet-admin /setup/hatchet-admin
mkdir -p /setup/new
/hatchet/hatchet-admin keyset create-local-keys --key-dir /setup/new
cat > /setup/new/keys.json <<END
{
  "SERVER_ENCRYPTION_MASTER_KEYSET": "$(cat /setup/new/master.key)",
  "SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET": "$(cat /setup/new/private_ec256.key)",
  "SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET": "$(cat /setup/new/public_ec256.key)",
  "SERVER_AUTH_COOKIE_SECRETS": "$(openssl rand -hex 16) $(openssl rand -hex 16)"
}
END
# Hatchet asks for a capital, a small letter and a digit.
cat > /setup/new/admin.json <<END
{
  "ADMIN_EMAIL": "$ADMIN_EMAIL",
  "ADMIN_PASSWORD": "Hatchet-1-$(openssl rand -hex 16)"
}
END
