#include "coordinator/http/guard.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cctype>

namespace remixer::coordinator {
namespace {

// Takes equally long wherever the two differ.
bool equal_secret(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Guard::Guard(std::vector<std::string> hosts, uint16_t port, std::string token, bool secure)
    : token_(std::move(token)), scheme_(secure ? "https://" : "http://") {
  hosts.insert(hosts.end(), {"127.0.0.1", "localhost", "::1"});
  for (const std::string& host : hosts) {
    const bool v6 = host.find(':') != std::string::npos;
    hosts_.push_back(fmt::format("{}:{}", v6 ? "[" + lower(host) + "]" : lower(host), port));
  }
}

bool Guard::own_host(const std::string& host) const {
  return std::find(hosts_.begin(), hosts_.end(), lower(host)) != hosts_.end();
}

std::optional<HttpResponse> Guard::refusal(const HttpRequest& request) const {
  if (!own_host(request.host)) {
    return error_response(403, fmt::format("Host '{}' is not this daemon", request.host));
  }
  if (!request.origin.empty() && (request.origin.compare(0, scheme_.size(), scheme_) != 0 ||
                                  !own_host(request.origin.substr(scheme_.size())))) {
    return error_response(403, fmt::format("Origin '{}' may not ask", request.origin));
  }
  if (!equal_secret(request.authorization, "Bearer " + token_)) {
    return error_response(401, "the token is missing or wrong; read it from the access file");
  }
  return std::nullopt;
}

}  // namespace remixer::coordinator
