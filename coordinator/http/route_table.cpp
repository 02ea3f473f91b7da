// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/route_table.h"

#include <optional>

#include "base/parse_json.h"
#include "base/parse_number.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// The parameters if the path matches the pattern.
std::optional<std::vector<std::string>> match(const std::vector<std::string>& pattern,
                                              const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> parameters;
  for (size_t i = 0; i < path.size(); ++i) {
    if (is_parameter(pattern[i]) && !path[i].empty()) {
      parameters.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

std::string Call::query(const std::string& name) const {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

int64_t Call::number(const std::string& name, int64_t otherwise, int64_t least,
                     int64_t most) const {
  const std::string text = query(name);
  if (text.empty()) return otherwise;
  const auto value = parse_number<int64_t>(text);
  if (!value || *value < least || *value > most) {
    fail_input("{}={} is not a number from {} to {}", name, text, least, most);
  }
  return *value;
}

Json Call::body() const {
  return parse_json(request.body, "the body");
}

void RouteTable::add(const std::string& method, const std::string& pattern, Function function,
                     Access access) {
  HttpRequest parsed;
  parse_target(pattern, parsed);
  routes_.push_back({method, pattern, parsed.segments, std::move(function), access});
}

std::vector<std::string> RouteTable::names() const {
  std::vector<std::string> names;
  for (const Route& route : routes_) names.push_back(route.method + " " + route.pattern);
  return names;
}

HttpResponse RouteTable::answer(const Guard& guard, const HttpRequest& request) const {
  try {
    return call(guard, request);
  } catch (const NotFound& error) {
    return error_response(404, error.what());
  } catch (const Conflict& error) {
    return error_response(409, error.what());
  } catch (const InputError& error) {
    return error_response(400, error.what());
  } catch (const Unavailable& error) {
    return error_response(503, error.what());
  }
}

int64_t RouteContext::grid_id(const std::string& name) const {
  return options.engine->query(
      [&](const Engine::View& view) { return find_grid(view.state, name); });
}

std::string RouteContext::task_id(const std::string& prefix) const {
  return options.engine->query(
      [&](const Engine::View& view) { return find_task(view.state, prefix); });
}

HttpResponse RouteTable::call(const Guard& guard, const HttpRequest& request) const {
  if (auto refusal = guard.foreign(request)) return *refusal;
  const auto stranger = guard.stranger(request);
  std::string allowed;
  for (const Route& route : routes_) {
    if (stranger && route.access != Access::kAnybody) continue;
    auto parameters = match(route.segments, request.segments);
    if (!parameters) continue;
    if (route.method == request.method) {
      HttpResponse answer = route.function(Call{request, std::move(*parameters)});
      answer.let_in = !stranger;
      return answer;
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (stranger) return *stranger;
  if (allowed.empty()) {
    return error_response(404, fmt::format("no route {} {}", request.method, request.path));
  }
  HttpResponse refusal = error_response(
      405, fmt::format("{} {} needs another method: {}", request.method, request.path, allowed));
  refusal.headers.emplace_back("Allow", allowed);
  return refusal;
}

}  // namespace remixer::coordinator
