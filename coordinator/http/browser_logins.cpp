// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/browser_logins.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cmath>
#include <iterator>
#include <vector>

#include "base/error.h"

namespace remixer::coordinator {
namespace {

constexpr size_t kOpenLinks = 32;

}  // namespace

std::string random_secret(int bytes) {
  std::vector<unsigned char> random(static_cast<size_t>(bytes));
  if (::RAND_bytes(random.data(), bytes) != 1) fail("the system has no random numbers for a token");
  std::string text;
  for (const unsigned char byte : random) text += fmt::format("{:02x}", byte);
  return text;
}

bool same_secret(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string BrowserLogins::new_key() {
  const std::string key = random_secret();
  const std::lock_guard lock(mutex_);
  double end = clock_.monotonic() + kLinkSeconds;
  while (keys_.count(end) != 0) end = std::nextafter(end, HUGE_VAL);
  keys_[end] = key;
  if (keys_.size() > kOpenLinks) keys_.erase(keys_.begin());
  return key;
}

std::optional<std::string> BrowserLogins::redeem(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic();
  keys_.erase(keys_.begin(), keys_.upper_bound(now));
  for (auto each = keys_.begin(); each != keys_.end(); ++each) {
    if (!same_secret(each->second, key)) continue;
    keys_.erase(each);
    const std::string cookie = random_secret();
    cookies_[cookie] = now + kCookieSeconds;
    return cookie;
  }
  return std::nullopt;
}

bool BrowserLogins::knows(const std::string& cookie) {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic();
  std::erase_if(cookies_, [&](const auto& each) { return each.second <= now; });
  for (auto& [known, end] : cookies_) {
    if (!same_secret(known, cookie)) continue;
    end = now + kCookieSeconds;
    return true;
  }
  return false;
}

}  // namespace remixer::coordinator
