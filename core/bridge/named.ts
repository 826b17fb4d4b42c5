import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { Question } from '../mcp/questions.js'

/** Of several servers the person must see which one asks. */
export function named(question: Question, plan: GatewayPlan, { server }: AssignmentPlan): Question {
  const message = question.params?.message
  if (plan.assignments.length < 2 || question.method !== 'elicitation/create' || typeof message !== 'string')
    return question
  return { ...question, params: { ...question.params, message: `[${server.title}] ${message}` } }
}
