#include "core/torch_pch.h"
