// SPDX-License-Identifier: Apache-2.0
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

// "/tasks/a%2Fb" → {"tasks", "a/b"}
bool split_path(std::string_view path, std::vector<std::string>& segments) {
  segments.clear();
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (!decode(path.substr(begin, end - begin), segments.emplace_back())) return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

HttpResponse error_response(int status, const std::string& message) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return {status, {{"error", line}}};
}

HttpResponse text_response(std::string content_type, std::string text) {
  HttpResponse response;
  response.content_type = std::move(content_type);
  response.text = std::move(text);
  return response;
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

bool parse_target(const std::string& target, HttpRequest& request) {
  const size_t question = target.find('?');
  if (target.empty() || target[0] != '/') return false;
  const std::string_view path = std::string_view(target).substr(0, question);
  if (!decode(path, request.path) || !split_path(path, request.segments)) return false;
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

std::string cookie_value(const std::string& header, const std::string& name) {
  std::string_view rest = header;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.substr(0, name.size()) == name &&
        pair[name.size()] == '=') {
      return std::string(pair.substr(name.size() + 1));
    }
  }
  return "";
}

}  // namespace remixer::coordinator
