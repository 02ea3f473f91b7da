// SPDX-License-Identifier: Apache-2.0
// What a statically linked `remixer` sets up before main(), to run on machines unlike the one that
// built it.
#include <nss.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace {

// The C library would load plugins that /etc/nsswitch.conf names (sss, ldap, systemd), built for
// another version of it, and crash. Its own readers of files and of DNS are linked in.
void keep_to_own_lookups() {
  ::__nss_configure_lookup("hosts", "files dns");
  ::__nss_configure_lookup("passwd", "files");
}

// OpenSSL looks for certificates where the building machine keeps them; other distributions keep
// them elsewhere.
void find_certificates() {
  constexpr std::array kBundles = {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
                                   "/etc/pki/tls/certs/ca-bundle.crt",    // Red Hat and kin
                                   "/etc/ssl/ca-bundle.pem"};             // SUSE
  for (const char* bundle : kBundles) {
    if (::access(bundle, R_OK) == 0) {
      ::setenv("SSL_CERT_FILE", bundle, /*overwrite=*/0);
      return;
    }
  }
}

[[gnu::constructor]] void prepare() {
  keep_to_own_lookups();
  find_certificates();
}

}  // namespace
