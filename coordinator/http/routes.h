// SPDX-License-Identifier: Apache-2.0
// The API: maps requests to calls of the engine. docs/openapi.json describes every route.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"
#include "coordinator/http/guard.h"
#include "coordinator/http/server.h"
#include "coordinator/views/report_source.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

// POST /slurm/up.
struct SlurmUp {
  Json site;               // as slurm::site_from_json() reads it
  bool try_first = true;   // with one allocation
  bool reachable = false;  // the user chose the address on which this daemon listens
};

struct RouteOptions {
  Engine* engine = nullptr;                             // outlives the handler
  std::function<void(bool keep_allocations)> shutdown;  // POST /shutdown; returns at once
  // Answers of /ping, /status and /slurm; thread-safe, like the four below.
  std::function<experiments::protocol::answers::Ping()> about;
  std::function<experiments::protocol::answers::Status()> status;
  std::function<experiments::protocol::answers::Slurm()> slurm;
  // Why no allocation could run the task; empty if one could, or if none are wanted.
  std::function<std::string(const std::string& task_id)> slurm_unfit;
  std::function<void(const SlurmUp& order)> slurm_up;
  std::function<void()> slurm_resume;
  std::function<void(bool let_run)> slurm_down;
  std::function<ServerCounts()> counts;  // for /metrics
  std::filesystem::path workspace;       // absolute; logs are read from it
  std::filesystem::path database;        // for queries that would keep the engine too long
  ReportSource reports{};
};

// A handler that checks access, then routes. Errors become {"error": ...} with the statuses in
// docs/api.md.
HttpHandler make_routes(Guard guard, RouteOptions options);

// Refuses requests that can be refused before their body is read.
HttpGate make_gate(Guard guard);

// All routes as "GET /api/v1/tasks/{id}", in no particular order.
std::vector<std::string> route_names();

}  // namespace remixer::coordinator
