SELECT json_build_object('order', json_build_object(
  'id', o.id, 'version', o.version, 'number', o.number, 'status', o.status, 'stage', o.stage, 'channel', o.channel,
  'account', o.account, 'externalReference', o.external_reference, 'region', o.region, 'priority', o.priority,
  'currencyCode', o.currency, 'note', o.note, 'submittedAt', o.submitted_at, 'requiredBy', o.required_by,
  'completedAt', o.completed_at, 'ruleSetVersion', o.rule_set_version,
  'submittedBy', (SELECT json_build_object('name', s.name) FROM staff s WHERE s.subject = o.submitted_by),
  'contact', json_build_object('companyName', o.contact->'company_name', 'contactName', o.contact->'contact_name',
    'email', o.contact->'email', 'phone', o.contact->'phone'),
  'deliveryAddress', json_build_object('street', o.delivery_address->'street', 'city', o.delivery_address->'city',
    'regionName', o.delivery_address->'region_name', 'postalCode', o.delivery_address->'postal_code',
    'countryCode', o.delivery_address->'country_code'),
  'customer', (SELECT json_build_object('number', c.number, 'region', c.region, 'group', c.customer_group,
    'currencyCode', c.currency) FROM customer c WHERE c.id = o.customer_id),
  'lines', (SELECT json_agg(json_build_object('id', l.id, 'lineNumber', l.line_number, 'sku', l.sku,
      'description', l.description, 'category', l.category, 'unitOfMeasure', l.unit_of_measure,
      'specification', l.specification,
      'quantities', json_build_object('ordered', l.ordered, 'cancelled', l.cancelled, 'allocated', l.allocated,
        'reserved', l.reserved, 'produced', l.produced, 'passed', l.passed, 'dispatched', l.dispatched,
        'delivered', l.delivered, 'confirmed', l.confirmed, 'returned', l.returned),
      'unitPrice', json_build_object('amount', l.unit_price), 'discountRate', l.discount_rate,
      'total', json_build_object('amount', l.total, 'currencyCode', o.currency),
      'product', json_build_object('name', p.name, 'category', p.category, 'kind', p.kind)) ORDER BY l.line_number)
    FROM order_line l JOIN product p ON p.id = l.product_id WHERE l.order_id = o.id),
  'review', (SELECT json_build_object('status', r.status, 'openedAt', r.opened_at,
      'reviewer', json_build_object('name', s.name))
    FROM review_case r LEFT JOIN staff s ON s.subject = r.reviewer WHERE r.order_id = o.id),
  'allocations', (SELECT json_agg(json_build_object('id', a.id, 'status', a.status, 'kind', a.kind,
      'assignedAt', a.assigned_at, 'unit', json_build_object('code', u.code, 'name', u.name),
      'warehouse', CASE WHEN w.id IS NOT NULL THEN json_build_object('code', w.code, 'name', w.name) END,
      'lines', (SELECT json_agg(json_build_object('sku', al.sku, 'quantity', al.quantity, 'reserved', al.reserved,
          'produced', al.produced, 'passed', al.passed, 'planned', al.planned, 'dispatched', al.dispatched,
          'confirmed', al.confirmed)) FROM allocation_line al WHERE al.allocation_id = a.id),
      'milestones', (SELECT json_agg(json_build_object('sequence', m.sequence, 'code', m.code, 'name', m.name,
          'status', m.status, 'plannedStart', m.planned_start, 'dueAt', m.due_at, 'startedAt', m.started_at,
          'completedAt', m.completed_at, 'responsible', json_build_object('name', s.name)) ORDER BY m.sequence)
        FROM milestone m LEFT JOIN staff s ON s.subject = m.responsible WHERE m.allocation_id = a.id),
      'inspections', (SELECT json_agg(json_build_object('attempt', i.attempt, 'result', i.result,
          'inspectedAt', i.inspected_at, 'findings', i.findings, 'inspector', json_build_object('name', s.name),
          'checklist', (SELECT json_agg(json_build_object('item', c->'item', 'passed', c->'passed'))
            FROM jsonb_array_elements(i.checklist) c)) ORDER BY i.attempt)
        FROM inspection i LEFT JOIN staff s ON s.subject = i.inspector WHERE i.allocation_id = a.id)) ORDER BY a.id)
    FROM allocation a JOIN org_unit u ON u.id = a.unit_id LEFT JOIN org_unit w ON w.id = a.warehouse_id
    WHERE a.order_id = o.id),
  'deliveries', (SELECT json_agg(json_build_object('id', d.id, 'number', d.number, 'status', d.status,
      'method', d.method, 'carrier', d.carrier, 'trackingNumber', d.tracking_number,
      'plannedArrival', d.planned_arrival, 'appointment', d.appointment, 'plannedAt', d.planned_at,
      'dispatchedAt', d.dispatched_at, 'deliveredAt', d.delivered_at, 'confirmationStatus', d.confirmation_status,
      'cost', json_build_object('amount', d.cost),
      'lines', (SELECT json_agg(json_build_object('quantity', dl.quantity, 'confirmed', dl.confirmed))
        FROM delivery_line dl WHERE dl.delivery_id = d.id),
      'trackingEvents', (SELECT json_agg(json_build_object('carrier', t.carrier, 'carrierEventId', t.carrier_event_id,
          'kind', t.kind, 'occurredAt', t.occurred_at, 'location', t.location, 'recordedAt', t.recorded_at)
          ORDER BY t.occurred_at) FROM tracking_event t WHERE t.delivery_id = d.id)) ORDER BY d.id)
    FROM delivery d WHERE d.order_id = o.id),
  'tickets', (SELECT json_agg(json_build_object('number', t.number, 'type', t.ticket_type, 'status', t.status,
      'subject', t.subject, 'description', t.description, 'occurredAt', t.occurred_at, 'openedAt', t.opened_at,
      'firstContactDue', t.first_contact_due, 'firstContactAt', t.first_contact_at, 'resolution', t.resolution,
      'resolvedAt', t.resolved_at, 'team', json_build_object('code', u.code, 'name', u.name)) ORDER BY t.opened_at)
    FROM ticket t JOIN org_unit u ON u.id = t.team_id WHERE t.order_id = o.id),
  'timeline', json_build_object('nodes', (SELECT json_agg(json_build_object('kind', e.kind, 'action', e.action,
      'aggregateKind', e.aggregate_kind, 'sequence', e.sequence, 'occurredAt', e.occurred_at, 'note', e.note,
      'actor', json_build_object('name', s.name)) ORDER BY e.id)
    FROM (SELECT * FROM event WHERE order_id = o.id ORDER BY id LIMIT 30) e
    LEFT JOIN staff s ON s.subject = e.actor))))
FROM orders o WHERE o.id = IDENTITY
