// SPDX-License-Identifier: Apache-2.0
// SHA-256 fingerprint of a TLS certificate.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace remixer::experiments::protocol {

// SHA-256 of the certificate in DER form, lower-case hexadecimal; empty for null.
std::string fingerprint_of(const X509* certificate);

}  // namespace remixer::experiments::protocol
