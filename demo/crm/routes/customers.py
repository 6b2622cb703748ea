"""Customers: list, create, read, change, delete."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy.exc import IntegrityError

from demo.common.deps import SIGNED_IN, Db, Id
from demo.common.routing import Route
from demo.crm.models import Customer
from demo.crm.schemas import CustomerChanges, CustomerFilters, CustomerItem, CustomerPage, NewCustomer
from demo.crm.store import change, find, page

router = APIRouter(prefix="/customers", tags=["customers"], dependencies=[SIGNED_IN], route_class=Route)


@router.get("")
def list_customers(db: Db, wanted: Annotated[CustomerFilters, Query()]) -> CustomerPage:
    """Customers with all these properties, newest first."""
    shown, before = page(db, Customer, wanted, [(Customer.city, wanted.city)])
    return CustomerPage(items=[CustomerItem.model_validate(customer) for customer in shown], next_before=before)


@router.post("", status_code=201)
def create_customer(order: NewCustomer, db: Db) -> CustomerItem:
    """A new customer."""
    customer = Customer(**order.model_dump())
    db.add(customer)
    db.commit()
    return CustomerItem.model_validate(customer)


@router.get("/{id}")
def read_customer(customer_id: Id, db: Db) -> CustomerItem:
    """One customer."""
    return CustomerItem.model_validate(find(db, Customer, customer_id))


@router.patch("/{id}")
def change_customer(customer_id: Id, changes: CustomerChanges, db: Db) -> CustomerItem:
    """Change a customer; what is left out stays."""
    customer = find(db, Customer, customer_id)
    change(customer, changes)
    db.commit()
    return CustomerItem.model_validate(customer)


@router.delete("/{id}", status_code=204)
def delete_customer(customer_id: Id, db: Db) -> None:
    """Delete a customer; one with projects stays."""
    db.delete(find(db, Customer, customer_id))
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, f"customer {customer_id} has projects") from None
