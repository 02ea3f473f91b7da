// SPDX-License-Identifier: Apache-2.0
// Event handlers, called by step().
#pragma once

#include "coordinator/scheduler/lifecycle.h"

namespace remixer::coordinator {

void handle(Transition& t, const SubmitEvent& event);
void handle(Transition& t, const RegisterEvent& event);
void handle(Transition& t, const ClaimEvent& event);
void handle(Transition& t, const HeartbeatEvent& event);
void handle(Transition& t, const ResultEvent& event);
void handle(Transition& t, const FoldersEvent& event);
void handle(Transition& t, const RenewEvent& event);
void handle(Transition& t, const AdoptEvent& event);
void handle(Transition& t, const ClearingEvent& event);
void handle(Transition& t, const TickEvent& event);
void handle(Transition& t, const WorkerGoneEvent& event);
void handle(Transition& t, const CancelTaskEvent& event);
void handle(Transition& t, const CancelGridEvent& event);
void handle(Transition& t, const RetryTaskEvent& event);
void handle(Transition& t, const RetryGridEvent& event);
void handle(Transition& t, const RemoveTaskEvent& event);
void handle(Transition& t, const RemoveGridEvent& event);
void handle(Transition& t, const PauseGridEvent& event);
void handle(Transition& t, const ConfigureGridEvent& event);
void handle(Transition& t, const NoticeTakenEvent& event);
void handle(Transition& t, const ShutdownEvent& event);

// The number of the task's next attempt will be above `number`.
void pass_by_folders(Transition& t, const std::string& task_id, int64_t number);

// Handles an attempt's report (also one attached to a claim).
experiments::protocol::ResultReply take_result(Transition& t,
                                               const experiments::protocol::AttemptResult& result);

}  // namespace remixer::coordinator
