// SPDX-License-Identifier: Apache-2.0
// Authenticates requests: token, Host, Origin. A login node has many users and a browser many
// pages, so a request from this machine is not trusted.
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
  // `hosts`: the daemon's addresses and names, besides loopback ones. `secure`: it uses TLS, so its
  // own pages are https.
  Guard(std::vector<std::string> hosts, uint16_t port, std::string token, bool secure = false);

  // Refuses a request whose Host or Origin is not this daemon's: a page whose domain was made to
  // resolve here is refused even with the token. Nothing if the request may continue.
  std::optional<HttpResponse> foreign(const HttpRequest& request) const;
  // Refuses a request without the token or a browser's cookie. A cookie is enough for reading; for
  // changes the request must also name the dashboard's own page as Origin.
  std::optional<HttpResponse> stranger(const HttpRequest& request) const;
  // Both checks, in this order.
  std::optional<HttpResponse> refusal(const HttpRequest& request) const;

  // Proves to a client that this daemon knows the token (experiments/protocol/proof.h).
  std::string proof(const std::string& nonce) const;

  // "http://127.0.0.1:8123"
  std::string origin() const;
  // A URL that lets one browser log in, once.
  std::string new_link() const;
  // The Set-Cookie header for a link's key; nothing if the key is invalid.
  std::optional<std::string> cookie_for(const std::string& key) const;

 private:
  bool own_host(const std::string& host) const;
  // Includes the port, since browsers share cookies between the ports of a host.
  std::string cookie_name() const;

  std::vector<std::string> hosts_;  // lower case, with the port; links use the first
  uint16_t port_;
  std::string token_, scheme_;
  std::shared_ptr<BrowserLogins> logins_;
};

}  // namespace remixer::coordinator
