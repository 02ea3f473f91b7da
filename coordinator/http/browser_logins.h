// SPDX-License-Identifier: Apache-2.0
// Browser login: a one-time link becomes a cookie, so that the token never appears in an address
// bar, a history or a log.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace remixer::coordinator {

// `bytes` random bytes as hexadecimal digits. Throws Error where the system has none.
std::string random_secret(int bytes = 32);
// Whether two secrets are the same, in a time that does not depend on where they differ.
bool same_secret(const std::string& a, const std::string& b);

// Known to this life of the daemon only. Thread-safe.
class BrowserLogins {
 public:
  explicit BrowserLogins(const Clock& clock = system_clock()) : clock_(clock) {}

  static constexpr double kLinkSeconds = 10 * 60;      // a link not used by then is void
  static constexpr double kCookieSeconds = 7 * 86400;  // a cookie not sent for so long is void

  // A key for a new link. At most 32 are open at once: the oldest becomes void.
  std::string new_key();
  // The cookie for a key, which is used up; nothing where it is unknown, used or too old.
  std::optional<std::string> redeem(const std::string& key);
  // Whether the cookie was given out, and used lately.
  bool knows(const std::string& cookie);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::map<double, std::string> keys_;     // by when they end
  std::map<std::string, double> cookies_;  // to when they end
};

}  // namespace remixer::coordinator
