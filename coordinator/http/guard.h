// Who may speak to the daemon. A login node has many users and a browser many pages, so being on
// this machine proves nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coordinator/http/message.h"

namespace remixer::coordinator {

class Guard {
 public:
  // `address`: the loopback address that is listened on.
  Guard(std::string address, uint16_t port, std::string token);

  // The refusal, or nothing where the request may go on. Host and Origin are looked at first: a
  // page that made its own name point here is refused whatever it knows.
  std::optional<HttpResponse> refusal(const HttpRequest& request) const;

 private:
  bool own_host(const std::string& host) const;

  std::string address_;
  uint16_t port_;
  std::string token_;
};

}  // namespace remixer::coordinator
