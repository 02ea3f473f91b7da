// SPDX-License-Identifier: Apache-2.0
// Setup of a statically linked `remixer` before main(), so that it runs on machines unlike the one
// that built it.
#include <nss.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace {

// The C library would load plugins named in /etc/nsswitch.conf (sss, ldap, systemd), which are
// built for another version of it, and crash. Its own file and DNS lookups are linked in.
void keep_to_own_lookups() {
  ::__nss_configure_lookup("hosts", "files dns");
  ::__nss_configure_lookup("passwd", "files");
}

// OpenSSL looks for certificates at the build machine's path; other distributions use other paths.
void find_certificates() {
  constexpr std::array kBundles = {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
                                   "/etc/pki/tls/certs/ca-bundle.crt",    // Red Hat and derivatives
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
