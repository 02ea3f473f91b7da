// SPDX-License-Identifier: Apache-2.0
// One request and its answer, free of the HTTP library.
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
  // The path's parts, split before they were decoded, so that a name may hold a slash.
  std::vector<std::string> segments;
  std::map<std::string, std::string> query;
  std::string host, origin, authorization, cookie;  // headers; empty where absent
  std::string body;
};

// Text that a client is sent piece by piece for as long as it stays (server-sent events).
class EventStream {
 public:
  virtual ~EventStream() = default;
  // What is new since the last call; empty where nothing is. Called every half second or so, by one
  // thread at a time. What it throws ends the stream.
  virtual std::string next() = 0;
};

struct HttpResponse {
  int status = 200;
  Json body = {};                 // sent as JSON, unless there is a content type
  std::string content_type = {};  // of `text`
  std::string text = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<EventStream> stream = {};  // in place of a body
  bool let_in = true;  // false: anybody is told this, so it says nothing for who asked
};

HttpResponse error_response(int status, const std::string& message);
HttpResponse text_response(std::string content_type, std::string text);

// `text` as it can stand in a path or as a value of a query.
std::string percent_encoded(const std::string& text);

// Splits a request target into path, segments and query, all percent-decoded. False where it is
// malformed.
bool parse_target(const std::string& target, HttpRequest& request);

// The value of a cookie in a Cookie header; empty where it is not there.
std::string cookie_value(const std::string& header, const std::string& name);

}  // namespace remixer::coordinator
