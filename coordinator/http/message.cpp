#include "coordinator/http/message.h"

#include <algorithm>
#include <cctype>

namespace remixer::coordinator {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool decode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

}  // namespace

HttpResponse error_response(int status, const std::string& message) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return {status, {{"error", line}}};
}

bool parse_target(const std::string& target, HttpRequest& request) {
  const size_t question = target.find('?');
  if (target.empty() || target[0] != '/') return false;
  if (!decode(std::string_view(target).substr(0, question), request.path)) return false;
  std::string_view rest;
  if (question != std::string::npos) rest = std::string_view(target).substr(question + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    std::string name, value;
    if (!decode(pair.substr(0, equals), name)) return false;
    if (equals < pair.size() && !decode(pair.substr(equals + 1), value)) return false;
    if (!name.empty()) request.query[name] = value;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

}  // namespace remixer::coordinator
