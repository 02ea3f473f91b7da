// SPDX-License-Identifier: Apache-2.0
// The API: requests to calls of the engine. docs/openapi.json describes every route.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"
#include "coordinator/http/guard.h"
#include "coordinator/http/server.h"
#include "coordinator/views/report_source.h"

namespace remixer::coordinator {

struct RouteOptions {
  Engine* engine = nullptr;                             // outlives the handler
  std::function<void(bool keep_allocations)> shutdown;  // POST /shutdown; returns at once
  std::function<Json()> about;   // what /ping answers and /status adds; thread-safe
  std::function<Json()> status;  // what /status answers
  std::function<Json()> slurm;   // what /slurm answers; thread-safe, as the four below
  // Why no allocation could run the task; empty where one could, or none are wanted.
  std::function<std::string(const std::string& task_id)> slurm_unfit;
  std::function<void(const Json& order)> slurm_up;
  std::function<void()> slurm_resume;
  std::function<void(bool let_run)> slurm_down;
  std::function<ServerCounts()> counts;  // for /metrics
  std::filesystem::path workspace;       // absolute; logs are read from it
  std::filesystem::path database;        // read by what would keep the engine too long
  ReportSource reports{};
};

// A handler that guards, then routes. Errors become {"error": ...} with the statuses of
// docs/api.md.
HttpHandler make_routes(Guard guard, RouteOptions options);

// What may be refused of a request before its body is read.
HttpGate make_gate(Guard guard);

// All routes as "GET /api/v1/tasks/{id}", in no particular order.
std::vector<std::string> route_names();

}  // namespace remixer::coordinator
