// SPDX-License-Identifier: Apache-2.0
// A table of routes: method and pattern to a function. Each file routes_*.cpp adds its own.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "coordinator/http/routes.h"

namespace remixer::coordinator {

// A request being routed.
struct Call {
  const HttpRequest& request;
  std::vector<std::string> parameters;  // values of the pattern's {names}, in order

  // A query parameter; empty if it was not given.
  std::string query(const std::string& name) const;
  // An integer parameter between `least` and `most`. Throws InputError if it is not.
  int64_t number(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const;
  // The body. Throws InputError if it is not JSON.
  Json body() const;
};

class RouteTable {
 public:
  using Function = std::function<HttpResponse(const Call&)>;
  // Who may send the request: authenticated clients, or anybody using the daemon's own address.
  enum class Access { kKnown, kAnybody };

  // `pattern` is like "/api/v1/tasks/{id}/cancel".
  void add(const std::string& method, const std::string& pattern, Function function,
           Access access = Access::kKnown);
  // Checks the request, calls its route and turns errors into answers: 404 if nothing has this
  // path, 405 if only other methods have.
  HttpResponse answer(const Guard& guard, const HttpRequest& request) const;
  std::vector<std::string> names() const;  // "GET /api/v1/ping"

 private:
  struct Route {
    std::string method, pattern;
    std::vector<std::string> segments;
    Function function;
    Access access;
  };
  HttpResponse call(const Guard& guard, const HttpRequest& request) const;

  std::vector<Route> routes_;
};

// What the routes need; outlives the table.
struct RouteContext {
  Guard guard;
  RouteOptions options;

  // What `view` makes of the engine's state, as an answer.
  template <typename View>
  HttpResponse ask(View&& view) const {
    return {200, to_json(options.engine->query(std::forward<View>(view)))};
  }
  // The complete id for a grid or task given in a path. Both throw NotFound, and InputError if it
  // is not unique.
  int64_t grid_id(const std::string& name) const;
  std::string task_id(const std::string& prefix) const;
};

void add_query_routes(RouteTable& table, const RouteContext& context);
void add_order_routes(RouteTable& table, const RouteContext& context);
void add_worker_routes(RouteTable& table, const RouteContext& context);
void add_view_routes(RouteTable& table, const RouteContext& context);
void add_dashboard_routes(RouteTable& table, const RouteContext& context);
// Also the shutdown route, which may leave allocations to the next daemon.
void add_slurm_routes(RouteTable& table, const RouteContext& context);
void add_event_routes(RouteTable& table, const RouteContext& context);

}  // namespace remixer::coordinator
