// SPDX-License-Identifier: Apache-2.0
// Routes for people that change something.
#include <malloc.h>

#include "coordinator/engine/adopt.h"
#include "coordinator/http/control_routes.h"
#include "coordinator/http/order_body.h"
#include "coordinator/http/route_table.h"
#include "coordinator/scheduler/prepared_grid.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

namespace {

// Returns memory used for expanding a large grid to the system.
void give_memory_back(const protocol::GridSubmitted& submitted) {
  constexpr int64_t kLarge = 10000;
  if (submitted.tasks >= kLarge) ::malloc_trim(0);
}

// Expands a grid's file here: its text is small even if its expansion is not.
HttpResponse submit_file(const RouteContext& context, const Call& call) {
  const Json body = call.body();
  std::string text, name;
  read_body(body, [&](ObjectReader& v) {
    v("text", text);
    v("file", name);
  });
  const auto submitted =
      context.options.engine->submit(prepare_grid_file(text, name, context.options.workspace));
  give_memory_back(submitted);
  return {200, protocol::to_json(submitted)};
}

// Maps "/api/v1/<grids or tasks>/{id}/<order>" to control().
void add_order(RouteTable& table, Engine* engine, const std::string& of, const std::string& order) {
  table.add("POST", "/api/v1/" + of + "/{id}/" + order, [engine, of, order](const Call& call) {
    return control(*engine, {of, call.parameters[0], order}, body_or_empty(call)).value();
  });
}

}  // namespace

void add_order_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  Engine* engine = context.options.engine;
  table.add("POST", "/api/v1/grids", [engine](const Call& call) {
    return HttpResponse{200, protocol::to_json(engine->submit(prepare_grid(call.request.body)))};
  });
  table.add("POST", "/api/v1/grids/file", [c](const Call& call) { return submit_file(*c, call); });
  for (const char* order : {"cancel", "retry", "remove", "pause", "resume", "settings"}) {
    add_order(table, engine, "grids", order);
  }
  for (const char* order : {"cancel", "retry", "remove"}) add_order(table, engine, "tasks", order);
  table.add("POST", "/api/v1/grids/{id}/adopt", [engine](const Call& call) {
    const int64_t id = engine->query(
        [&](const Engine::View& view) { return find_grid(view.state, call.parameters[0]); });
    return HttpResponse{200, to_json(adopt_results(*engine, id))};
  });
  // Deletes files, so it requires an explicit body.
  table.add("POST", "/api/v1/gc",
            [engine](const Call& call) { return control(*engine, {"gc"}, call.body()).value(); });
}

}  // namespace remixer::coordinator
