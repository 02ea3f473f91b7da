#include "coordinator/http/routes.h"

#include <vector>

#include "coordinator/http/control_routes.h"
#include "coordinator/views/views.h"
#include "core/base/error.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

namespace {

constexpr const char* kPrefix = "/api/v1/";

// "/api/v1/tasks/ab12/retry" → {"tasks", "ab12", "retry"}; nothing for another prefix.
std::vector<std::string> path_parts(const std::string& path) {
  std::vector<std::string> parts;
  const std::string prefix = kPrefix;
  if (path.compare(0, prefix.size(), prefix) != 0) return parts;
  size_t begin = prefix.size();
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string query_value(const HttpRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

Json body_of(const HttpRequest& request) {
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) fail_input("the body is not JSON");
  return body;
}

class Routes {
 public:
  Routes(Guard guard, RouteOptions options)
      : guard_(std::move(guard)), options_(std::move(options)), engine_(*options_.engine) {}

  HttpResponse operator()(const HttpRequest& request) const {
    if (auto refusal = guard_.refusal(request)) return *refusal;
    try {
      const auto parts = path_parts(request.path);
      if (request.method == "GET") return get(request, parts);
      if (request.method == "POST") return post(request, parts);
      return error_response(405, "only GET and POST are known");
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

 private:
  using Parts = std::vector<std::string>;

  HttpResponse get(const HttpRequest& request, const Parts& parts) const {
    const size_t n = parts.size();
    if (n == 1 && parts[0] == "ping") return {200, options_.about()};
    if (n == 1 && parts[0] == "status") return {200, options_.status()};
    if (n == 1 && parts[0] == "slurm") return {200, options_.slurm()};
    if (n == 1 && parts[0] == "grids") return ask(grids_json);
    if (n == 2 && parts[0] == "grids") {
      return ask([&](const Engine::View& view) { return grid_json(view, parts[1]); });
    }
    if (n == 1 && parts[0] == "tasks") {
      return ask([&](const Engine::View& view) {
        return tasks_json(view, query_value(request, "grid"), query_value(request, "state"),
                          query_value(request, "kind"));
      });
    }
    if (n == 2 && parts[0] == "tasks") {
      return ask([&](const Engine::View& view) { return task_json(view, parts[1]); });
    }
    if (n == 1 && parts[0] == "workers") {
      return ask([](const Engine::View& view) { return Json{{"workers", workers_json(view)}}; });
    }
    return unknown(request, posts(parts));
  }

  HttpResponse post(const HttpRequest& request, const Parts& parts) const {
    const size_t n = parts.size();
    if (n == 1 && parts[0] == "workers") {
      return send(engine_.register_worker(read<protocol::RegisterWorker>(request)));
    }
    if (n == 1 && parts[0] == "claim") return send(engine_.claim(read<protocol::Claim>(request)));
    if (n == 1 && parts[0] == "heartbeat") {
      return send(engine_.heartbeat(read<protocol::Heartbeat>(request)));
    }
    if (n == 1 && parts[0] == "result") {
      return send(engine_.result(read<protocol::AttemptResult>(request)));
    }
    if (n == 1 && parts[0] == "grids") {
      return send(engine_.submit(prepare_grid(request.body)));
    }
    if (n == 1 && parts[0] == "shutdown") {
      const Json body = Json::parse(request.body, nullptr, false);
      options_.shutdown(body.is_object() && body.value("keep_allocations", false));
      return {200, {{"stopping", true}}};
    }
    if (n == 2 && parts[0] == "slurm") return slurm(request, parts);
    if (is_control(parts)) {
      const Json body = request.body.empty() ? Json::object() : body_of(request);
      return control(engine_, parts, body).value();
    }
    const bool readable =
        n == 1 && (parts[0] == "ping" || parts[0] == "status" || parts[0] == "tasks");
    return unknown(request, readable);
  }

  HttpResponse slurm(const HttpRequest& request, const Parts& parts) const {
    const Json body = body_of(request);
    try {
      if (parts[1] == "up" && body.is_object() && body.contains("site")) {
        options_.slurm_up(body);
      } else if (parts[1] == "up") {
        return error_response(400, "the body needs a field 'site'");
      } else if (parts[1] == "resume") {
        options_.slurm_resume();
      } else if (parts[1] == "down") {
        options_.slurm_down(body.is_object() && body.value("let_run", false));
      } else {
        return unknown(request, false);
      }
    } catch (const InputError&) {
      throw;
    } catch (const Error& error) {
      // Slurm's own trouble, not the daemon's.
      return error_response(502, error.what());
    }
    return {200, options_.slurm()};
  }

  static bool posts(const Parts& parts) {
    if (parts.size() == 2 && parts[0] == "slurm") {
      return parts[1] == "up" || parts[1] == "down" || parts[1] == "resume";
    }
    if (parts.size() == 1 && parts[0] != "gc") {
      return parts[0] == "claim" || parts[0] == "heartbeat" || parts[0] == "result" ||
             parts[0] == "shutdown";
    }
    return is_control(parts);
  }

  static HttpResponse unknown(const HttpRequest& request, bool other_method) {
    if (other_method) {
      return error_response(
          405, fmt::format("{} {} needs the other method", request.method, request.path));
    }
    return error_response(404, fmt::format("no route {} {}", request.method, request.path));
  }

  HttpResponse ask(std::function<Json(const Engine::View&)> question) const {
    return {200, engine_.query(std::move(question))};
  }

  template <typename Message>
  static Message read(const HttpRequest& request) {
    return protocol::from_json<Message>(body_of(request));
  }

  template <typename Message>
  static HttpResponse send(const Message& message) {
    return {200, protocol::to_json(message)};
  }

  Guard guard_;
  RouteOptions options_;
  Engine& engine_;
};

}  // namespace

HttpHandler make_routes(Guard guard, RouteOptions options) {
  return Routes(std::move(guard), std::move(options));
}

}  // namespace remixer::coordinator
