// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/routes.h"

#include "coordinator/http/route_table.h"

namespace remixer::coordinator {
namespace {

// The table and its functions' context, owned by the handler.
struct Routes {
  explicit Routes(RouteContext given) : context(std::move(given)) {
    add_query_routes(table, context);
    add_order_routes(table, context);
    add_worker_routes(table, context);
    add_view_routes(table, context);
    add_event_routes(table, context);
    add_slurm_routes(table, context);
    add_dashboard_routes(table, context);
  }
  Routes(const Routes&) = delete;

  RouteContext context;
  RouteTable table;
};

}  // namespace

HttpHandler make_routes(Guard guard, RouteOptions options) {
  auto routes = std::make_shared<Routes>(RouteContext{std::move(guard), std::move(options)});
  return [routes](const HttpRequest& request) {
    return routes->table.answer(routes->context.guard, request);
  };
}

HttpGate make_gate(Guard guard) {
  return [guard = std::move(guard)](const HttpRequest& request) { return guard.refusal(request); };
}

std::vector<std::string> route_names() {
  return Routes(RouteContext{Guard({}, 0, ""), {}}).table.names();
}

}  // namespace remixer::coordinator
