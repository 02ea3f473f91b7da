// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/control_routes.h"

#include <functional>
#include <map>

#include "base/error.h"
#include "coordinator/engine/garbage_collection.h"
#include "coordinator/http/order_body.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {

namespace {

// Each returns the number of affected tasks.
using GridOrder = std::function<int64_t(Engine&, int64_t, const Json&)>;
using TaskOrder = std::function<int64_t(Engine&, const std::string&)>;

Pause pause_of(const Json& body) {
  bool now = false;
  read_body(body, [&](ObjectReader& v) { v.optional("now", now, false); });
  return now ? Pause::kNow : Pause::kAfterRunning;
}

// An order without parameters.
template <typename Order>
GridOrder plain(Order order) {
  return [order](Engine& engine, int64_t id, const Json& body) {
    read_empty(body);
    return order(engine, id);
  };
}

const std::map<std::string, GridOrder>& grid_orders() {
  static const std::map<std::string, GridOrder> orders = {
      {"cancel", plain([](Engine& e, int64_t id) { return e.cancel_grid(id); })},
      {"retry", plain([](Engine& e, int64_t id) { return e.retry_grid(id); })},
      {"remove", plain([](Engine& e, int64_t id) { return e.remove_grid(id); })},
      {"resume", plain([](Engine& e, int64_t id) { return e.pause_grid(id, Pause::kNone); })},
      {"pause",
       [](Engine& e, int64_t id, const Json& body) { return e.pause_grid(id, pause_of(body)); }},
      {"settings",
       [](Engine& e, int64_t id, const Json& body) {
         e.configure_grid(id, experiments::protocol::from_json<GridSettings>(body));
         return int64_t{0};
       }},
  };
  return orders;
}

const std::map<std::string, TaskOrder>& task_orders() {
  static const std::map<std::string, TaskOrder> orders = {
      {"cancel", [](Engine& e, const std::string& id) { return e.cancel_task(id); }},
      {"retry", [](Engine& e, const std::string& id) { return e.retry_task(id); }},
      {"remove", [](Engine& e, const std::string& id) { return e.remove_task(id); }},
  };
  return orders;
}

CollectOptions collect_options(const Json& body) {
  CollectOptions options;
  read_body(body, [&](ObjectReader& v) {
    v.optional("dry_run", options.dry_run, false);
    v.optional("unknown", options.unknown, false);
    v.optional("quota_bytes", options.quota, std::nullopt);
  });
  if (options.quota && *options.quota < 0) fail_input("body.quota_bytes must be 0 or more");
  return options;
}

HttpResponse changed(int64_t tasks) {
  return {200, answers::to_json(answers::Changed{tasks})};
}

}  // namespace

bool is_control(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts[0] == "gc";
  if (parts.size() != 3) return false;
  return (parts[0] == "grids" && grid_orders().count(parts[2])) ||
         (parts[0] == "tasks" && task_orders().count(parts[2]));
}

std::optional<HttpResponse> control(Engine& engine, const std::vector<std::string>& parts,
                                    const Json& body) {
  if (!is_control(parts)) return std::nullopt;
  if (parts[0] == "gc") {
    return HttpResponse{200, answers::to_json(collect_garbage(engine, collect_options(body)))};
  }
  if (parts[0] == "grids") {
    const int64_t id =
        engine.query([&](const Engine::View& view) { return find_grid(view.state, parts[1]); });
    return changed(grid_orders().at(parts[2])(engine, id, body));
  }
  read_empty(body);
  const std::string id =
      engine.query([&](const Engine::View& view) { return find_task(view.state, parts[1]); });
  return changed(task_orders().at(parts[2])(engine, id));
}

}  // namespace remixer::coordinator
