// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "experiments/protocol/proof.h"

namespace remixer::coordinator {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Guard::Guard(std::vector<std::string> hosts, uint16_t port, std::string token, bool secure)
    : port_(port),
      token_(std::move(token)),
      scheme_(secure ? "https://" : "http://"),
      logins_(std::make_shared<BrowserLogins>()) {
  hosts.insert(hosts.end(), {"127.0.0.1", "localhost", "::1"});
  for (const std::string& host : hosts) {
    const bool v6 = host.find(':') != std::string::npos;
    hosts_.push_back(fmt::format("{}:{}", v6 ? "[" + lower(host) + "]" : lower(host), port));
  }
}

bool Guard::own_host(const std::string& host) const {
  return std::find(hosts_.begin(), hosts_.end(), lower(host)) != hosts_.end();
}

std::optional<HttpResponse> Guard::foreign(const HttpRequest& request) const {
  if (!own_host(request.host)) {
    return error_response(403, fmt::format("Host '{}' is not this daemon", request.host));
  }
  if (!request.origin.empty() && (request.origin.compare(0, scheme_.size(), scheme_) != 0 ||
                                  !own_host(request.origin.substr(scheme_.size())))) {
    return error_response(403, fmt::format("Origin '{}' may not ask", request.origin));
  }
  return std::nullopt;
}

std::optional<HttpResponse> Guard::stranger(const HttpRequest& request) const {
  if (same_secret(request.authorization, "Bearer " + token_)) return std::nullopt;
  const std::string cookie = cookie_value(request.cookie, cookie_name());
  if (!cookie.empty() && request.authorization.empty() && logins_->knows(cookie)) {
    if (request.method == "GET" || !request.origin.empty()) return std::nullopt;
    return error_response(403, "an order with a cookie must name its Origin");
  }
  return error_response(401, "the token is missing or wrong; read it from the access file");
}

std::optional<HttpResponse> Guard::refusal(const HttpRequest& request) const {
  if (auto refused = foreign(request)) return refused;
  return stranger(request);
}

std::string Guard::proof(const std::string& nonce) const {
  return experiments::protocol::daemon_proof(token_, nonce);
}

std::string Guard::origin() const {
  return scheme_ + hosts_.front();
}

std::string Guard::new_link() const {
  return origin() + "/open?key=" + logins_->new_key();
}

std::optional<std::string> Guard::cookie_for(const std::string& key) const {
  const auto cookie = logins_->redeem(key);
  if (!cookie) return std::nullopt;
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={:.0f}{}", cookie_name(),
                     *cookie, BrowserLogins::kCookieSeconds,
                     scheme_ == "https://" ? "; Secure" : "");
}

std::string Guard::cookie_name() const {
  return fmt::format("remixer_{}", port_);
}

}  // namespace remixer::coordinator
