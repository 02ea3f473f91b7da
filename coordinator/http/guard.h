// Who may speak to the daemon. A login node has many users and a browser many pages, so being on
// this machine proves nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/http/message.h"

namespace remixer::coordinator {

class Guard {
 public:
  // `hosts`: addresses and names under which the daemon is found, beside those of loopback.
  // `secure`: it speaks TLS, so that its own pages are https ones.
  Guard(std::vector<std::string> hosts, uint16_t port, std::string token, bool secure = false);

  // The refusal, or nothing where the request may go on. Host and Origin are looked at first: a
  // page that made its own name point here is refused whatever it knows.
  std::optional<HttpResponse> refusal(const HttpRequest& request) const;

 private:
  bool own_host(const std::string& host) const;

  std::vector<std::string> hosts_;  // lower case, with the port
  std::string token_, scheme_;
};

}  // namespace remixer::coordinator
