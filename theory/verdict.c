#include "verdict.h"

const char *fq_verdict_name(fq_verdict verdict) {
    switch (verdict) {
    case FQ_VERDICT_CERTIFIED:
        return "certified";
    case FQ_VERDICT_COMPUTED:
        return "computed";
    case FQ_VERDICT_MEASURED:
        return "measured";
    case FQ_VERDICT_UNDECIDED:
        return "undecided";
    case FQ_VERDICT_REFUTED:
        return "refuted";
    }
    return "unknown";
}

fq_verdict fq_verdict_weaker(fq_verdict a, fq_verdict b) {
    return a > b ? a : b;
}
