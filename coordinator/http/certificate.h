// SPDX-License-Identifier: Apache-2.0
// The daemon's own TLS certificate: self-signed, and trusted because the access file holds its
// fingerprint.
#pragma once

#include <filesystem>
#include <string>

namespace remixer::coordinator {

struct Certificate {
  std::filesystem::path certificate, key;  // PEM
  std::string fingerprint;                 // SHA-256 of its DER, lower-case hexadecimal
};

// The certificate in `folder` (daemon.crt; daemon.key with mode 0600), created if there is none. It
// is kept, so that clients recognise a restarted daemon. Throws InputError if the files there are
// damaged, do not belong together, or let others read the key.
Certificate own_certificate(const std::filesystem::path& folder);

}  // namespace remixer::coordinator
