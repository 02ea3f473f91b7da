// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/proof.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace remixer::experiments::protocol {
namespace {

constexpr size_t kNonceBytes = 32;

std::string hexadecimal(const unsigned char* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

}  // namespace

std::string new_nonce() {
  std::array<unsigned char, kNonceBytes> bytes{};
  if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    fail("the system gives no random numbers");
  }
  return hexadecimal(bytes.data(), bytes.size());
}

bool is_nonce(const std::string& text) {
  return text.size() == 2 * kNonceBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string daemon_proof(const std::string& token, const std::string& nonce) {
  // The signed text includes its purpose, so that the proof cannot be used for anything else.
  const std::string message = "remixer daemon " + nonce;
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  if (!::HMAC(::EVP_sha256(), token.data(), static_cast<int>(token.size()),
              reinterpret_cast<const unsigned char*>(message.data()), message.size(), code.data(),
              &size)) {
    fail("OpenSSL cannot make a keyed hash");
  }
  return hexadecimal(code.data(), size);
}

}  // namespace remixer::experiments::protocol
