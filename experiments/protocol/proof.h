// SPDX-License-Identifier: Apache-2.0
// Proof by which a daemon on a loopback address, in clear text, shows that it belongs to the access
// file before it gets the token: it answers a nonce with a keyed hash that requires the token.
// Needed because another user's process may have taken the port after a crash.
#pragma once

#include <string>

namespace remixer::experiments::protocol {

// 64 hexadecimal digits, never used before.
std::string new_nonce();
bool is_nonce(const std::string& text);

// HMAC-SHA256 of the nonce under the token, hexadecimal.
std::string daemon_proof(const std::string& token, const std::string& nonce);

}  // namespace remixer::experiments::protocol
