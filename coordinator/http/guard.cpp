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

}  // namespace

Guard::Guard(std::string address, uint16_t port, std::string token)
    : address_(std::move(address)), port_(port), token_(std::move(token)) {}

bool Guard::own_host(const std::string& host) const {
  std::string lower = host;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string bracketed =
      address_.find(':') == std::string::npos ? address_ : "[" + address_ + "]";
  for (const std::string& name :
       {std::string("127.0.0.1"), std::string("localhost"), std::string("[::1]"), bracketed}) {
    if (lower == fmt::format("{}:{}", name, port_)) return true;
  }
  return false;
}

std::optional<HttpResponse> Guard::refusal(const HttpRequest& request) const {
  if (!own_host(request.host)) {
    return error_response(403, fmt::format("Host '{}' is not this daemon", request.host));
  }
  const std::string scheme = "http://";
  if (!request.origin.empty() && (request.origin.compare(0, scheme.size(), scheme) != 0 ||
                                  !own_host(request.origin.substr(scheme.size())))) {
    return error_response(403, fmt::format("Origin '{}' may not ask", request.origin));
  }
  if (!equal_secret(request.authorization, "Bearer " + token_)) {
    return error_response(401, "the token is missing or wrong; read it from the access file");
  }
  return std::nullopt;
}

}  // namespace remixer::coordinator
