// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/jobs.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/capture_output.h"
#include "base/child_process.h"
#include "base/error.h"

namespace remixer::coordinator::slurm {
namespace {

// A controller under load answers late; one that is down does not answer.
constexpr double kAnswerSeconds = 60;
constexpr const char* kFormat = "%i|%T|%r|%N|%S|%e";
constexpr size_t kFields = 6;

std::string one_line(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  size_t at = 0;
  while ((at = text.find('\n', at)) != std::string::npos) text.replace(at, 1, " | ");
  return text.empty() ? "no message" : text;
}

std::string known(const std::string& field) {
  return field == "N/A" || field == "None" || field == "(null)" || field == "NONE" ? "" : field;
}

// If this daemon itself is a Slurm job, that job's variables must not affect other jobs; SLURM_CONF
// is kept, since it locates Slurm.
Captured run_slurm(std::vector<std::string> command) {
  std::map<std::string, std::string> kept;
  if (const char* configuration = std::getenv("SLURM_CONF")) kept["SLURM_CONF"] = configuration;
  return run_captured(command, kAnswerSeconds, kept, {"SLURM_", "PMIX_", "PMI_", "OMPI_", "PRTE_"});
}

std::string checked_output(const std::vector<std::string>& command) {
  const Captured captured = run_slurm(command);
  if (captured.code != 0) fail("{}: {}", command[0], one_line(captured.errors));
  return captured.output;
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

template <size_t N>
bool among(const std::string& word, const std::array<const char*, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Job parse_job(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '|');) fields.push_back(field);
  // getline drops an empty last field.
  if (!line.empty() && line.back() == '|') fields.emplace_back();
  if (fields.size() != kFields || fields[0].empty() || fields[1].empty()) {
    fail("squeue wrote a line that is not understood: '{}'", line);
  }
  Job job{fields[0],        fields[1],        known(fields[2]),
          known(fields[3]), known(fields[4]), known(fields[5])};
  job.phase = phase_of(job.state);
  return job;
}

// "120;cluster" → "120"
std::string submitted_id(const std::string& output) {
  const std::string id = output.substr(0, output.find_first_of(";\n"));
  if (id.empty() || id.find_first_not_of("0123456789") != std::string::npos) {
    fail("sbatch answered '{}' where a job's number was expected", one_line(output));
  }
  return id;
}

}  // namespace

JobPhase phase_of(const std::string& state) {
  constexpr std::array kWaiting = {"PENDING",      "REQUEUED",      "REQUEUE_FED",
                                   "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"};
  constexpr std::array kEnded = {"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE", "FAILED",
                                 "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "REVOKED",  "TIMEOUT"};
  if (among(state, kWaiting)) return JobPhase::kWaiting;
  if (among(state, kEnded)) return JobPhase::kEnded;
  // An unknown state of a newer Slurm counts as alive: it ends in one of those above.
  return JobPhase::kRunning;
}

bool Job::surely_over() const {
  return state == "COMPLETED" || state == "FAILED" || state == "OUT_OF_MEMORY";
}

bool Job::stuck() const {
  return phase == JobPhase::kWaiting &&
         (reason.find("requeued_held") != std::string::npos ||
          reason.find("requeued held") != std::string::npos || state == "SPECIAL_EXIT");
}

std::vector<Job> parse_jobs(const std::string& output) {
  std::vector<Job> jobs;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) jobs.push_back(parse_job(line));
  }
  return jobs;
}

std::vector<Job> list_jobs(const std::string& name) {
  std::vector<std::string> command = {"squeue", "--noheader", "--array", "--states=all",
                                      "--sort=i"};
  command.push_back(fmt::format("--user={}", user_name()));
  command.push_back(fmt::format("--name={}", name));
  command.push_back(fmt::format("--format={}", kFormat));
  return parse_jobs(checked_output(command));
}

std::vector<std::string> submit_jobs(const std::filesystem::path& script, int64_t count, bool array,
                                     const std::filesystem::path& logs) {
  std::vector<std::string> ids;
  if (array && count > 1) {
    const std::string id = submitted_id(
        checked_output({"sbatch", "--parsable", fmt::format("--array=0-{}", count - 1),
                        "--output=" + (logs / "%A_%a.log").string(), script.string()}));
    for (int64_t i = 0; i < count; ++i) ids.push_back(fmt::format("{}_{}", id, i));
    return ids;
  }
  for (int64_t i = 0; i < count; ++i) {
    try {
      ids.push_back(submitted_id(checked_output(
          {"sbatch", "--parsable", "--output=" + (logs / "%j.log").string(), script.string()})));
    } catch (const Error&) {
      if (ids.empty()) throw;
      break;
    }
  }
  return ids;
}

std::string dry_run(const std::filesystem::path& script) {
  const Captured captured = run_slurm({"sbatch", "--test-only", script.string()});
  // sbatch answers on standard error in either case.
  if (captured.code == 0) return one_line(captured.errors);
  const std::string said = one_line(captured.errors);
  if (said.find("Unable to contact") != std::string::npos ||
      said.find("timed out") != std::string::npos) {
    fail("Slurm does not answer: {}", said);
  }
  fail_input("Slurm would not take the allocation: {}", said);
}

void cancel_jobs(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::vector<std::string> command = {"scancel", "--quiet"};
  command.insert(command.end(), ids.begin(), ids.end());
  checked_output(command);
}

void signal_jobs(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::vector<std::string> command = {"scancel", "--quiet", "--batch", "--signal=USR2"};
  command.insert(command.end(), ids.begin(), ids.end());
  checked_output(command);
}

void require_slurm() {
  for (const char* program : {"sbatch", "squeue", "scancel"}) {
    if (find_program(program).empty()) {
      fail_input("{} is not on PATH: this host is no Slurm login node, or its module is not loaded",
                 program);
    }
  }
}

}  // namespace remixer::coordinator::slurm
