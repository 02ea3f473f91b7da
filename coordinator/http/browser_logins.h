// SPDX-License-Identifier: Apache-2.0
// Browser login: a one-time link is exchanged for a cookie, so that the token never appears in an
// address bar, a history or a log.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace remixer::coordinator {

// `bytes` random bytes as hexadecimal digits. Throws Error if the system has none.
std::string random_secret(int bytes = 32);
// Compares two secrets in constant time.
bool same_secret(const std::string& a, const std::string& b);

// Kept only in this daemon process. Thread-safe.
class BrowserLogins {
 public:
  explicit BrowserLogins(const Clock& clock = system_clock()) : clock_(clock) {}

  static constexpr double kLinkSeconds = 10 * 60;      // an unused link expires after this time
  static constexpr double kCookieSeconds = 7 * 86400;  // a cookie expires if unused for this long

  // A key for a new link. At most 32 are valid at once: the oldest expires first.
  std::string new_key();
  // The cookie for a key, which is then used up; nothing if the key is unknown, used or expired.
  std::optional<std::string> redeem(const std::string& key);
  // Whether the cookie was issued and has not expired.
  bool knows(const std::string& cookie);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::map<double, std::string> keys_;     // by expiry
  std::map<std::string, double> cookies_;  // to expiry
};

}  // namespace remixer::coordinator
