// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/control_routes.h"

#include <functional>
#include <map>

#include "base/error.h"
#include "coordinator/engine/garbage_collection.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {

namespace {

// Each returns how many tasks are concerned.
using GridOrder = std::function<int64_t(Engine&, int64_t, const Json&)>;
using TaskOrder = std::function<int64_t(Engine&, const std::string&)>;

bool flag(const Json& body, const char* name) {
  if (!body.is_object() || !body.contains(name)) return false;
  if (!body[name].is_boolean()) fail_input("'{}' must be true or false", name);
  return body[name].get<bool>();
}

const std::map<std::string, GridOrder>& grid_orders() {
  static const std::map<std::string, GridOrder> orders = {
      {"cancel", [](Engine& e, int64_t id, const Json&) { return e.cancel_grid(id); }},
      {"retry", [](Engine& e, int64_t id, const Json&) { return e.retry_grid(id); }},
      {"remove", [](Engine& e, int64_t id, const Json&) { return e.remove_grid(id); }},
      {"pause",
       [](Engine& e, int64_t id, const Json& body) {
         return e.pause_grid(id, flag(body, "now") ? Pause::kNow : Pause::kAfterRunning);
       }},
      {"resume", [](Engine& e, int64_t id, const Json&) { return e.pause_grid(id, Pause::kNone); }},
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
  options.dry_run = flag(body, "dry_run");
  options.unknown = flag(body, "unknown");
  if (!body.is_object() || !body.contains("quota_bytes") || body["quota_bytes"].is_null()) {
    return options;
  }
  const Json& quota = body["quota_bytes"];
  if (!quota.is_number_integer() || quota.get<int64_t>() < 0) {
    fail_input("'quota_bytes' must be an integer of 0 or more");
  }
  options.quota = quota.get<uint64_t>();
  return options;
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
    return HttpResponse{200, to_json(collect_garbage(engine, collect_options(body)))};
  }
  if (parts[0] == "grids") {
    const Json id = engine.query(
        [&](const Engine::View& view) { return Json(find_grid(view.state, parts[1])); });
    return HttpResponse{200,
                        {{"tasks", grid_orders().at(parts[2])(engine, id.get<int64_t>(), body)}}};
  }
  const Json id =
      engine.query([&](const Engine::View& view) { return Json(find_task(view.state, parts[1])); });
  return HttpResponse{200, {{"tasks", task_orders().at(parts[2])(engine, id.get<std::string>())}}};
}

}  // namespace remixer::coordinator
