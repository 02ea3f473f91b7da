// The API: requests to calls of the engine. docs/api.md describes it.
#pragma once

#include <functional>
#include <string>

#include "coordinator/engine.h"
#include "coordinator/http/guard.h"
#include "coordinator/http/server.h"

namespace remixer::coordinator {

struct RouteOptions {
  Engine* engine = nullptr;                             // outlives the handler
  std::function<void(bool keep_allocations)> shutdown;  // POST /shutdown; returns at once
  std::function<Json()> about;   // what /ping answers and /status adds; thread-safe
  std::function<Json()> status;  // what /status answers
  std::function<Json()> slurm;   // what /slurm answers; thread-safe, as the two below
  std::function<void(const Json& order)> slurm_up;
  std::function<void()> slurm_resume;
  std::function<void(bool let_run)> slurm_down;
};

// A handler that guards, then routes. Errors become {"error": ...} with the statuses of
// docs/api.md.
HttpHandler make_routes(Guard guard, RouteOptions options);

}  // namespace remixer::coordinator
