// SPDX-License-Identifier: Apache-2.0
// Routes of Slurm's allocations.
#include "base/error.h"
#include "coordinator/http/route_table.h"

namespace remixer::coordinator {
namespace {

// Carries out `order`, then answers as GET /slurm does.
HttpResponse ordered(const RouteContext& context, const std::function<void()>& order) {
  try {
    order();
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    // Slurm's own trouble, not the daemon's.
    return error_response(502, error.what());
  }
  return {200, context.options.slurm()};
}

bool flag(const Call& call, const char* name) {
  if (call.request.body.empty()) return false;
  const Json body = call.body();
  if (!body.is_object()) fail_input("the body must be an object");
  if (!body.contains(name)) return false;
  if (!body[name].is_boolean()) fail_input("'{}' must be true or false", name);
  return body[name].get<bool>();
}

}  // namespace

void add_slurm_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  table.add("GET", "/api/v1/slurm", [c](const Call&) {
    return HttpResponse{200, c->options.slurm()};
  });
  table.add("POST", "/api/v1/slurm/up", [c](const Call& call) {
    const Json body = call.body();
    if (!body.is_object() || !body.contains("site")) {
      return error_response(400, "the body needs a field 'site'");
    }
    return ordered(*c, [&] { c->options.slurm_up(body); });
  });
  table.add("POST", "/api/v1/slurm/resume",
            [c](const Call&) { return ordered(*c, [c] { c->options.slurm_resume(); }); });
  table.add("POST", "/api/v1/slurm/down", [c](const Call& call) {
    const bool let_run = flag(call, "let_run");
    return ordered(*c, [&] { c->options.slurm_down(let_run); });
  });
  table.add("POST", "/api/v1/shutdown", [c](const Call& call) {
    c->options.shutdown(flag(call, "keep_allocations"));
    return HttpResponse{200, {{"stopping", true}}};
  });
}

}  // namespace remixer::coordinator
