// One request and its answer, free of the HTTP library.
#pragma once

#include <map>
#include <string>

#include "experiments/json.h"

namespace remixer::coordinator {

using experiments::Json;

struct HttpRequest {
  std::string method;  // "GET", "POST"
  std::string path;    // decoded, without the query: "/api/v1/status"
  std::map<std::string, std::string> query;
  std::string host, origin, authorization;  // headers; empty where absent
  std::string body;
};

struct HttpResponse {
  int status = 200;
  Json body;
};

HttpResponse error_response(int status, const std::string& message);

// Splits a request target into path and query, both percent-decoded. False where it is malformed.
bool parse_target(const std::string& target, HttpRequest& request);

}  // namespace remixer::coordinator
