// SPDX-License-Identifier: Apache-2.0
// How a daemon on a loopback address, in clear text, shows that it is the one of the access file
// before it is shown the token: it answers a nonce with a keyed hash that only who knows the token
// can make. After a crash another user's process may have its port.
#pragma once

#include <string>

namespace remixer::experiments::protocol {

// 64 hexadecimal digits, never used before.
std::string new_nonce();
bool is_nonce(const std::string& text);

// HMAC-SHA256 of the nonce under the token, hexadecimal.
std::string daemon_proof(const std::string& token, const std::string& nonce);

}  // namespace remixer::experiments::protocol
