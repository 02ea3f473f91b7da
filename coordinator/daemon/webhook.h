// SPDX-License-Identifier: Apache-2.0
// Posts a notification to the owner's URL, http or https.
#pragma once

#include <cstdint>
#include <string>

namespace remixer::coordinator {

struct WebAddress {
  bool secure = false;
  std::string host, port, target;
};
// Parses "http[s]://host[:port][/path]". Throws InputError if it is not such a URL.
WebAddress parse_web_address(const std::string& url);

// Posts a JSON text and waits for the answer, at most `timeout_seconds`. Certificates are checked
// against the system's. Throws Error saying what went wrong; any status but 2xx is an error.
void post_json(const WebAddress& address, const std::string& body, double timeout_seconds);

}  // namespace remixer::coordinator
