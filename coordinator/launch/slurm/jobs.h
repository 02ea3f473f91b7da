// SPDX-License-Identifier: Apache-2.0
// Runs Slurm's commands: sbatch, squeue, scancel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace remixer::coordinator::slurm {

enum class JobPhase {
  kWaiting,  // in the queue, including requeued ones
  kRunning,  // on its nodes, or starting or completing
  kEnded,    // Slurm still remembers it
};

struct Job {
  std::string id;      // "120", or "120_3" for an element of an array
  std::string state;   // Slurm's name: "PENDING", "RUNNING", "TIMEOUT", ...
  std::string reason;  // why it waits or failed, such as "Priority"; empty for none
  std::string nodes;   // its nodes, as "n[1-2]"; empty while it waits
  std::string start;   // "2026-11-25T22:00:00": actual or expected start; empty if unknown
  std::string end;     // actual end, or the end of the time limit; empty if unknown
  JobPhase phase = JobPhase::kWaiting;

  // True if Slurm has seen its processes end. After the loss of a node it has not.
  bool surely_over() const;
  // True if Slurm holds the job permanently, as after "launch failed requeued held".
  bool stuck() const;
};

JobPhase phase_of(const std::string& state);

// Parses squeue's output in the format that list_jobs requests. Throws Error on lines that it
// cannot parse: an incomplete list must never look like a complete one.
std::vector<Job> parse_jobs(const std::string& output);

// All jobs of that name of the calling user that Slurm remembers, by one command. A job missing
// from the returned list has ended and is forgotten. Throws Error, with Slurm's message, if Slurm
// does not answer: nothing is then known.
std::vector<Job> list_jobs(const std::string& name);

// Submits `count` copies of a script: as one job array if `array`, else one by one. Returns the
// ids; if a submission fails, those submitted before it. Throws Error with sbatch's message.
std::vector<std::string> submit_jobs(const std::filesystem::path& script, int64_t count, bool array,
                                     const std::filesystem::path& logs);

// Asks Slurm whether it would accept the script, without submitting it. Returns its answer, such as
// "Job 12 to start at ...". Throws InputError with its message if not, Error if Slurm does not
// answer.
std::string dry_run(const std::filesystem::path& script);

// Cancels jobs; running ones first get SIGTERM and have Slurm's KillWait to end.
void cancel_jobs(const std::vector<std::string>& ids);
// Signals the batch scripts of running jobs to write checkpoints and end.
void signal_jobs(const std::vector<std::string>& ids);

// Throws InputError if Slurm's commands are not on PATH.
void require_slurm();

}  // namespace remixer::coordinator::slurm
