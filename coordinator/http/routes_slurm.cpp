// SPDX-License-Identifier: Apache-2.0
// Routes for Slurm allocations.
#include "base/error.h"
#include "coordinator/http/order_body.h"

namespace remixer::coordinator {
namespace {

// Carries out `order`, then answers as GET /slurm does.
HttpResponse ordered(const RouteContext& context, const std::function<void()>& order) {
  try {
    order();
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    // An error of Slurm, not of the daemon.
    return error_response(502, error.what());
  }
  return {200, to_json(context.options.slurm())};
}

// An optional flag; the body is optional too.
bool flag(const Call& call, const char* name) {
  bool value = false;
  read_body(body_or_empty(call), [&](ObjectReader& v) { v.optional(name, value, false); });
  return value;
}

}  // namespace

void add_slurm_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  table.add("GET", "/api/v1/slurm", [c](const Call&) {
    return HttpResponse{200, to_json(c->options.slurm())};
  });
  table.add("POST", "/api/v1/slurm/up", [c](const Call& call) {
    const Json body = call.body();
    SlurmUp order;
    read_body(body, [&](ObjectReader& v) {
      v("site", order.site);
      v.optional("try_first", order.try_first, true);
      v.optional("reachable", order.reachable, false);
    });
    return ordered(*c, [&] { c->options.slurm_up(order); });
  });
  table.add("POST", "/api/v1/slurm/resume", [c](const Call& call) {
    read_empty(body_or_empty(call));
    return ordered(*c, [c] { c->options.slurm_resume(); });
  });
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
