// SPDX-License-Identifier: Apache-2.0
// An HTTP request and its answer, independent of the HTTP library.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace remixer::coordinator {

struct HttpRequest {
  std::string method;  // "GET", "POST"
  std::string path;    // decoded, without the query: "/api/v1/status"
  // The path's parts, split before decoding, so that a name may contain a slash.
  std::vector<std::string> segments;
  std::map<std::string, std::string> query;
  std::string host, origin, authorization, cookie;  // headers; empty if absent
  std::string body;
};

// Text sent to a client piece by piece while it is connected (server-sent events).
class EventStream {
 public:
  virtual ~EventStream() = default;
  // New text since the last call; empty if none. Called about every half second, by one thread at a
  // time. An exception ends the stream.
  virtual std::string next() = 0;
};

struct HttpResponse {
  int status = 200;
  Json body = {};                 // sent as JSON, unless content_type is set
  std::string content_type = {};  // of `text`
  std::string text = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<EventStream> stream = {};  // replaces the body
  bool let_in = true;  // false: anybody gets this answer, so it does not authenticate the client
};

HttpResponse error_response(int status, const std::string& message);
HttpResponse text_response(std::string content_type, std::string text);

// `text` encoded for a path or a query value.
std::string percent_encoded(const std::string& text);

// Splits a request target into path, segments and query, all percent-decoded. Returns false if it
// is malformed.
bool parse_target(const std::string& target, HttpRequest& request);

// The value of a cookie in a Cookie header; empty if it is missing.
std::string cookie_value(const std::string& header, const std::string& name);

}  // namespace remixer::coordinator
