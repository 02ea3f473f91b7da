// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/fingerprint.h"

#include <openssl/crypto.h>

#include <string_view>

#include "base/hash.h"

namespace remixer::experiments::protocol {

std::string fingerprint_of(const X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = certificate ? ::i2d_X509(certificate, &bytes) : 0;
  if (size <= 0) return {};
  std::string fingerprint =
      sha256_hex(std::string_view(reinterpret_cast<char*>(bytes), static_cast<size_t>(size)));
  OPENSSL_free(bytes);
  return fingerprint;
}

}  // namespace remixer::experiments::protocol
