// SPDX-License-Identifier: Apache-2.0
// Read-only routes.
#include <limits>

#include "coordinator/http/route_table.h"
#include "coordinator/views/database_views.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {

namespace {

Page page_of(const Call& call) {
  return {call.number("after", 0, 0, std::numeric_limits<int64_t>::max()),
          call.number("limit", Page::kMost, 1, Page::kMost)};
}

}  // namespace

void add_query_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  table.add("GET", "/api/v1/ping", [c](const Call&) {
    return HttpResponse{200, to_json(c->options.about())};
  });
  table.add("GET", "/api/v1/status", [c](const Call&) {
    return HttpResponse{200, to_json(c->options.status())};
  });
  table.add("GET", "/api/v1/grids", [c](const Call&) { return c->ask(grids_view); });
  table.add("GET", "/api/v1/grids/{id}", [c](const Call& call) {
    const Page page = page_of(call);
    return c->ask(
        [&](const Engine::View& view) { return grid_view(view, call.parameters[0], page); });
  });
  table.add("GET", "/api/v1/tasks", [c](const Call& call) {
    const TaskFilter filter{call.query("grid"), call.query("state"), call.query("kind"),
                            call.query("like")};
    const Page page = page_of(call);
    return c->ask([&](const Engine::View& view) { return tasks_view(view, filter, page); });
  });
  table.add("GET", "/api/v1/tasks/{id}", [c](const Call& call) {
    const Page page = page_of(call);
    answers::TaskDetail task = c->options.engine->query(
        [&](const Engine::View& view) { return task_view(view, call.parameters[0], page); });
    task.environments = DatabaseViews(c->options.database).environments(task.task_id);
    if (task.state == "ready" && c->options.slurm_unfit) {
      const std::string why = c->options.slurm_unfit(task.task_id);
      if (!why.empty()) {
        task.explanation += fmt::format("; no allocation of Slurm's site could run it: {}", why);
      }
    }
    return HttpResponse{200, to_json(task)};
  });
  table.add("GET", "/api/v1/workers", [c](const Call&) { return c->ask(workers_view); });
}

}  // namespace remixer::coordinator
