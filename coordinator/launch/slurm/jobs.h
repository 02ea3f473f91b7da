// SPDX-License-Identifier: Apache-2.0
// Slurm's own commands: sbatch, squeue, scancel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace remixer::coordinator::slurm {

enum class JobPhase {
  kWaiting,  // in the queue, requeued ones included
  kRunning,  // on its nodes, or coming there or leaving
  kEnded,    // Slurm still remembers it
};

struct Job {
  std::string id;      // "120", or "120_3" for an element of an array
  std::string state;   // Slurm's word: "PENDING", "RUNNING", "TIMEOUT", ...
  std::string reason;  // why it waits or failed, as "Priority"; empty for none
  std::string nodes;   // its nodes, as "n[1-2]"; empty while it waits
  std::string start;   // "2026-11-25T22:00:00": begun, or expected; empty where unknown
  std::string end;     // ended, or when the time limit ends it; empty where unknown
  JobPhase phase = JobPhase::kWaiting;

  // True where Slurm has seen its processes end. After the loss of a node it has not.
  bool surely_over() const;
  // True where Slurm holds it back for good, as after "launch failed requeued held".
  bool stuck() const;
};

JobPhase phase_of(const std::string& state);

// What squeue prints under the format that list_jobs asks for. Lines that are not understood throw
// Error: half a list must never look like a whole one.
std::vector<Job> parse_jobs(const std::string& output);

// All jobs of that name of the calling user that Slurm remembers, by one command. A job that is
// missing from a list that was given is over and forgotten. Throws Error, with Slurm's words, where
// Slurm does not answer: nothing is then known.
std::vector<Job> list_jobs(const std::string& name);

// Submits `count` copies of a script: as one job array where `array`, else one by one. Returns the
// ids; where only some were submitted before one failed, those. Throws Error with sbatch's words.
std::vector<std::string> submit_jobs(const std::filesystem::path& script, int64_t count, bool array,
                                     const std::filesystem::path& logs);

// Asks Slurm whether it would take the script, without submitting it. Returns what it answers, as
// "Job 12 to start at ...". Throws InputError with its words where it would not, Error where it
// does not answer.
std::string dry_run(const std::filesystem::path& script);

// Takes jobs away; running ones are first told to end (SIGTERM) and have Slurm's KillWait to do it.
void cancel_jobs(const std::vector<std::string>& ids);
// Sends the batch scripts of running jobs the wish for checkpoints and an end.
void signal_jobs(const std::vector<std::string>& ids);

// Throws InputError where Slurm's commands are not on PATH.
void require_slurm();

}  // namespace remixer::coordinator::slurm
