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
// Of "http[s]://host[:port][/path]". Throws InputError where it is none.
WebAddress parse_web_address(const std::string& url);

// Posts a JSON text and waits for the answer, `timeout_seconds` at most. Certificates are checked
// against the system's. Throws Error saying what went wrong; any answer but 2xx is an error.
void post_json(const WebAddress& address, const std::string& body, double timeout_seconds);

}  // namespace remixer::coordinator
