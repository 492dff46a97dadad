'use strict';

// Follows one order by its tracking link, live. The key comes behind the hash, which browsers never
// send to a server, and goes out only to the API of the same host.
(function track() {
  const key = window.location.hash.slice(1);
  const words = window.trackWords;
  let language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  let order = null;
  let cursor = null;
  let state = 'connecting';
  let notice = null;
  // What was written and not sent yet, by question.
  const drafts = new Map();

  const ORDER = `id number stage status overdue submittedAt requiredBy holds { id }
    lines { id description quantities { ordered delivered } unitOfMeasure }
    allocations { id milestones { id name status } }
    clarifications { id question dueAt answer }
    changes { id status reason expiresAt options { id kind date quantity orderLine { description }
      substitute { description } preview { totalAfter { amount currencyCode } } } }
    deliveries { id number method status plannedArrival carrier trackingNumber
      trackingEvents { id kind location occurredAt } }`;
  const FIND = '{ orders(first: 1) { nodes { id } } }';
  const FOLLOW = `subscription ($order: ID!, $after: String) {
    orderProgress(orderId: $order, after: $after) { cursor order { ${ORDER} } } }`;
  const ANSWER = `mutation ($input: AnswerClarificationInput!) {
    answerClarification(input: $input) { userErrors { message } } }`;
  const ACCEPT = `mutation ($input: AcceptOrderChangeInput!) {
    acceptOrderChange(input: $input) { userErrors { message } } }`;
  const DECLINE = `mutation ($input: DeclineOrderChangeInput!) {
    declineOrderChange(input: $input) { userErrors { message } } }`;
  const STAGES = ['INTAKE', 'REVIEW', 'ALLOCATION', 'EXECUTION', 'DELIVERY', 'COMPLETED'];

  const say = (name) => words[language][name];
  const named = (kind, code) => words[language][kind][code] || code;
  const moment = (text) => new Date(text).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  const day = (text) => new Date(`${text}T00:00:00`).toLocaleDateString(language, { dateStyle: 'medium' });

  // An element with texts and elements in it: what others wrote never becomes markup.
  function made(name, attributes, ...content) {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value !== null) element.setAttribute(attribute, value);
    }
    element.append(...content.filter((part) => part !== null));
    return element;
  }

  function section(title, list) {
    return list.length ? [made('h2', {}, say(title)), made('ul', { class: 'rows' }, ...list)] : [];
  }

  function stages() {
    const now = STAGES.indexOf(order.stage);
    return made('ol', { class: 'stages' }, ...STAGES.map((stage, index) => made('li', {
      class: index < now || order.stage === 'COMPLETED' ? 'done' : null,
      'aria-current': index === now ? 'step' : null,
    }, named('stage', stage))));
  }

  function delivery(one) {
    const told = [...one.trackingEvents].sort((a, b) => b.occurredAt.localeCompare(a.occurredAt));
    const arrival = one.status === 'DELIVERED' || one.status === 'CANCELLED' ? [] : [`${say('arrives')} ${day(one.plannedArrival)}`];
    const by = [one.carrier, one.trackingNumber].filter(Boolean).join(' ');
    return made('li', {}, made('span', {}, one.number), made('strong', {}, named('delivery', one.status)),
      made('small', {}, [...arrival, by].filter(Boolean).join(' · ')),
      ...told.map((event) => made('small', {},
        [moment(event.occurredAt), named('tracking', event.kind), event.location].filter(Boolean).join(' · '))));
  }

  // Does something and says what came of it.
  async function act(button, document, field, input, thanks) {
    button.disabled = true;
    try {
      const { [field]: done } = await ask(document, { input });
      notice = done.userErrors.length
        ? `${say('failed')} ${done.userErrors.map((error) => error.message).join(' ')}` : say(thanks);
    } catch (error) {
      notice = `${say('failed')} ${error.message}`;
    }
    show();
  }

  function question(one) {
    const text = made('textarea', { rows: '3', maxlength: '4000', required: '', 'aria-label': say('answer') });
    const form = made('form', { class: 'question' }, made('h2', {}, say('question')), made('p', {}, one.question),
      one.dueAt ? made('p', {}, `${say('due')} ${moment(one.dueAt)}`) : '', text,
      made('button', { type: 'submit' }, say('send')));
    text.value = drafts.get(one.id) || '';
    text.addEventListener('input', () => drafts.set(one.id, text.value));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const input = { orderId: order.id, clarificationId: one.id, answer: text.value, idempotencyKey: `track ${one.id}` };
      act(form.querySelector('button'), ANSWER, 'answerClarification', input, 'sent');
    });
    return form;
  }

  function alternative(one) {
    const { amount, currencyCode } = one.preview.totalAfter;
    const total = Number(amount).toLocaleString(language, { style: 'currency', currency: currencyCode });
    const what = [one.substitute && one.substitute.description, one.orderLine && one.orderLine.description, one.quantity,
      one.date && day(one.date)].filter(Boolean).join(' · ');
    return made('label', {}, made('input', { type: 'radio', name: 'option', value: one.id, required: '' }),
      ` ${named('change', one.kind)}`, made('small', {}, [what, `${say('total')} ${total}`].filter(Boolean).join(' · ')));
  }

  function offer(one) {
    const accept = made('button', { type: 'submit' }, say('accept'));
    const decline = made('button', { type: 'button' }, say('decline'));
    const form = made('form', { class: 'question' }, made('h2', {}, say('offer')), made('p', {}, one.reason),
      ...one.options.map(alternative), made('p', {}, `${say('due')} ${moment(one.expiresAt)}`), accept, ' ', decline);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const optionId = new FormData(form).get('option');
      act(accept, ACCEPT, 'acceptOrderChange', { changeId: one.id, optionId, idempotencyKey: `track ${one.id}` }, 'sent');
    });
    decline.addEventListener('click', () => {
      const input = { changeId: one.id, reason: say('declined'), idempotencyKey: `track no ${one.id}` };
      act(decline, DECLINE, 'declineOrderChange', input, 'sent');
    });
    return form;
  }

  function content() {
    if (!order) return state === 'live' ? [made('p', { class: 'alert' }, say('none'))] : [];
    const ended = words[language].status[order.status];
    const open = order.status === 'CLARIFICATION_REQUESTED' ? order.clarifications.filter((one) => one.answer === null) : [];
    const milestones = order.allocations.flatMap((share) => share.milestones);
    return [
      order.stage === 'ENDED' ? null : stages(),
      ended ? made('p', { class: 'alert' }, ended) : null,
      order.holds.length ? made('p', { class: 'alert' }, say('hold')) : null,
      order.overdue ? made('p', { class: 'alert' }, say('late')) : null,
      notice ? made('p', {}, notice) : null,
      ...open.map(question),
      ...order.changes.filter((one) => one.status === 'AWAITING_CUSTOMER').map(offer),
      made('p', {}, `${say('ordered')} ${moment(order.submittedAt)} · ${say('expected')} ${day(order.requiredBy)}`),
      ...section('deliveries', order.deliveries.map(delivery)),
      ...section('progress', milestones.map((one) => made('li', {}, made('span', {}, one.name),
        made('strong', {}, named('milestone', one.status))))),
      ...section('goods', order.lines.map((line) => made('li', {}, made('span', {}, line.description),
        made('span', {}, `${line.quantities.delivered} / ${line.quantities.ordered} ${line.unitOfMeasure || ''}`)))),
    ].filter((part) => part !== null);
  }

  function show() {
    document.documentElement.lang = language;
    document.getElementById('title').textContent = [say('title'), order && order.number].filter(Boolean).join(' ');
    document.title = document.getElementById('title').textContent;
    document.getElementById('language').textContent = say('other');
    document.getElementById('connection').textContent = say(state);
    // What somebody is writing is not taken from under their hands.
    const writing = document.activeElement;
    if (writing && writing.tagName === 'TEXTAREA' && writing.value) return;
    document.getElementById('order').replaceChildren(...content());
  }

  async function ask(query, variables) {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    });
    const body = await response.json();
    if (response.status === 401) throw Object.assign(new Error(say('closed')), { final: true });
    if (body.errors) throw new Error(body.errors.map((error) => error.message).join(' '));
    return body.data;
  }

  function turn(next) {
    state = next;
    show();
  }

  // graphql-transport-ws, one operation; resumes behind the last cursor.
  function follow(id, attempt) {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${window.location.host}/graphql`, 'graphql-transport-ws');
    const send = (message) => socket.send(JSON.stringify(message));
    let tries = attempt;
    socket.onopen = () => send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'ping') send({ type: 'pong' });
      if (message.type === 'connection_ack') {
        send({ id: '1', type: 'subscribe', payload: { query: FOLLOW, variables: { order: id, after: cursor } } });
        if (order) turn('live');
      }
      if (message.type === 'next' && message.payload.data) {
        tries = 0;
        ({ cursor, order } = message.payload.data.orderProgress);
        turn('live');
      }
      // A cursor that can't be resumed from: begin anew, with the order as it is now.
      if (message.type === 'error') {
        cursor = null;
        socket.close(1000);
      }
    };
    socket.onclose = ({ code }) => {
      if (code === 4403 || code === 4401) return turn('closed');
      turn('lost');
      const pause = Math.min(30, 2 ** tries) * (500 + Math.random() * 500);
      return setTimeout(() => follow(id, tries + 1), pause);
    };
  }

  async function start(attempt) {
    try {
      const found = await ask(FIND, {});
      const first = found.orders.nodes[0];
      if (!first) return turn('closed');
      return follow(first.id, 0);
    } catch (error) {
      if (error.final) return turn('closed');
      turn('lost');
      return setTimeout(() => start(attempt + 1), Math.min(30, 2 ** attempt) * 1000);
    }
  }

  document.getElementById('language').addEventListener('click', () => {
    language = language === 'zh' ? 'en' : 'zh';
    show();
  });
  window.addEventListener('hashchange', () => window.location.reload());
  if (!key.startsWith('ogk_')) return turn('missing');
  show();
  return start(0);
})();
