// SPDX-License-Identifier: Apache-2.0
// Authenticates requests: token, Host, Origin. A login node has many users and a browser many
// pages, so being on this machine proves nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/http/browser_logins.h"
#include "coordinator/http/message.h"

namespace remixer::coordinator {

// Thread-safe.
class Guard {
 public:
  // `hosts`: addresses and names under which the daemon is found, beside those of loopback.
  // `secure`: it speaks TLS, so that its own pages are https ones.
  Guard(std::vector<std::string> hosts, uint16_t port, std::string token, bool secure = false);

  // The refusal of a request from elsewhere than this daemon's own address: a page that made its
  // own name point here is refused whatever it knows. Nothing where the request may go on.
  std::optional<HttpResponse> foreign(const HttpRequest& request) const;
  // The refusal of a request without the token or a browser's cookie. A cookie is good for looking;
  // for orders the browser must say as well that the dashboard's own page gives them (Origin).
  std::optional<HttpResponse> stranger(const HttpRequest& request) const;
  // Both, in this order.
  std::optional<HttpResponse> refusal(const HttpRequest& request) const;

  // What shows a client that this daemon knows the token (experiments/protocol/proof.h).
  std::string proof(const std::string& nonce) const;

  // "http://127.0.0.1:8123"
  std::string origin() const;
  // An address that lets one browser in, once.
  std::string new_link() const;
  // The Set-Cookie header for a link's key; nothing where the key is void.
  std::optional<std::string> cookie_for(const std::string& key) const;

 private:
  bool own_host(const std::string& host) const;
  // Other daemons on this host get cookies of their own: browsers do not tell ports apart.
  std::string cookie_name() const;

  std::vector<std::string> hosts_;  // lower case, with the port; the first is the link's
  uint16_t port_;
  std::string token_, scheme_;
  std::shared_ptr<BrowserLogins> logins_;
};

}  // namespace remixer::coordinator
